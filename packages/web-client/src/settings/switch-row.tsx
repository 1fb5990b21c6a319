import { Switch } from 'radix-ui'
import { useId } from 'react'

interface SwitchRowProps {
  readonly label: string
  readonly hint?: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}

export function SwitchRow({ label, hint, isOn, onChange }: SwitchRowProps) {
  const id = useId()
  return (
    <div className="switch-row">
      <label htmlFor={id}>
        {label}
        {hint && <span className="quiet">{hint}</span>}
      </label>
      <Switch.Root id={id} className="switch" checked={isOn} onCheckedChange={onChange}>
        <Switch.Thumb className="switch-thumb" />
      </Switch.Root>
    </div>
  )
}
