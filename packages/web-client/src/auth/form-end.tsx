/** The error message and submit button of a form. */
export function FormEnd({ failure, isBusy, label }: { failure: string; isBusy: boolean; label: string }) {
  return (
    <>
      <p className="error" role="alert">
        {failure}
      </p>
      <button type="submit" className="primary" disabled={isBusy}>
        {label}
      </button>
    </>
  )
}
