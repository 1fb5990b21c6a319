import { type DragEvent, useState } from 'react'

/** Accepts files dropped on an element. `isOver` is true while files are dragged over it. */
export function useFileDrop(onFiles: ((files: readonly File[]) => void) | undefined) {
  const [isOver, setOver] = useState(false)
  const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer.types.includes('Files')
  const props = {
    onDragOver: (event: DragEvent) => {
      if (!hasFiles(event)) return
      // Prevents the browser from leaving the app to open the file.
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
