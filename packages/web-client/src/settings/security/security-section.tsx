import { getSecondFactors } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../core/api.ts'
import { Failed } from '../../ui/failed.tsx'
import { Spinner } from '../../ui/spinner.tsx'
import { AuthenticatorPart } from './authenticator-part.tsx'
import { PasskeyPart } from './passkey-part.tsx'
import '../../styles/people.css'

/** The protections of the account besides the password. */
export default function SecuritySection() {
  const { data, error, refetch } = useQuery({
    queryKey: ['second-factors'],
    queryFn: () => call(getSecondFactors, {}),
  })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  const onChange = () => void refetch()
  return (
    <>
      <AuthenticatorPart factors={data} onChange={onChange} />
      <PasskeyPart factors={data} onChange={onChange} />
    </>
  )
}
