import { type DragEvent, useState } from 'react'

/** Takes files that are dropped on an element. `isOver` while files are held above it. */
export function useFileDrop(onFiles: ((files: readonly File[]) => void) | undefined) {
  const [isOver, setOver] = useState(false)
  const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer.types.includes('Files')
  const props = {
    onDragOver: (event: DragEvent) => {
      if (!hasFiles(event)) return
      // Without this the browser leaves the app and shows the file.
      event.preventDefault()
      setOver(onFiles !== undefined)
    },
    onDragLeave: (event: DragEvent) => {
      const { relatedTarget: next } = event
      if (!(next instanceof Node) || !event.currentTarget.contains(next)) setOver(false)
    },
    onDrop: (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      const files = [...event.dataTransfer.files]
      if (files.length > 0) onFiles?.(files)
    },
  }
  return { isOver, props }
}
