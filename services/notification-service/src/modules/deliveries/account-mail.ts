import type { AccountMailKind, Language, Mail } from './delivery.ts'

interface Text {
  readonly subject: string
  readonly before: string
  readonly after: string
}

/** Mails that may reach a stranger contain no text written by the user who triggered them. */
const texts: Readonly<Record<Language, Readonly<Record<AccountMailKind, Text>>>> = {
  ko: {
    verify_email: {
      subject: 'BigTech Chat 이메일 주소를 확인해 주세요',
      before: '아래 링크를 열면 이 이메일 주소가 확인됩니다. 링크는 24시간 동안 한 번만 사용할 수 있습니다.',
      after: '본인이 가입하지 않았다면 이 메일을 무시하셔도 됩니다.',
    },
    change_email: {
      subject: 'BigTech Chat 새 이메일 주소를 확인해 주세요',
      before:
        '아래 링크를 열면 계정의 이메일 주소가 이 주소로 바뀝니다. 링크는 24시간 동안 한 번만 사용할 수 있습니다.',
      after: '본인이 요청하지 않았다면 이 메일을 무시하셔도 됩니다.',
    },
    undo_email: {
      subject: 'BigTech Chat 이메일 주소가 변경되었습니다',
      before:
        '계정의 이메일 주소가 다른 주소로 변경되었습니다. 본인이 변경하지 않았다면 7일 안에 아래 링크로 되돌리고 비밀번호를 새로 설정해 주세요. 되돌리면 모든 기기에서 로그아웃됩니다.',
      after: '본인이 변경했다면 아무것도 하지 않으셔도 됩니다.',
    },
    reset_password: {
      subject: 'BigTech Chat 비밀번호 재설정',
      before: '아래 링크에서 새 비밀번호를 설정해 주세요. 링크는 30분 동안 한 번만 사용할 수 있습니다.',
      after: '본인이 요청하지 않았다면 이 메일을 무시하셔도 됩니다. 비밀번호는 바뀌지 않습니다.',
    },
    end_session: {
      subject: 'BigTech Chat 새 기기에서 로그인했습니다',
      before:
        '계정에 새 기기가 로그인했습니다. 본인이 아니라면 7일 안에 아래 링크를 여세요. 그 기기에서 로그아웃되고, 새 비밀번호를 설정하는 메일을 보내 드립니다.',
      after: '본인이 로그인했다면 아무것도 하지 않으셔도 됩니다.',
    },
    download_export: {
      subject: 'BigTech Chat 내 데이터가 준비되었습니다',
      before:
        '요청하신 데이터를 내려받을 수 있습니다. 로그인한 상태에서 아래 링크를 여세요. 링크는 7일 동안 한 번만 사용할 수 있습니다.',
      after:
        '본인이 요청하지 않았다면 누군가 계정에 로그인한 것입니다. 비밀번호를 바꾸고 이 링크를 누구에게도 보내지 마세요.',
    },
  },
  en: {
    verify_email: {
      subject: 'Verify your email address for BigTech Chat',
      before: 'Open this link to verify your email address. It works once, for 24 hours.',
      after: 'If you did not sign up, you can ignore this mail.',
    },
    change_email: {
      subject: 'Verify your new email address for BigTech Chat',
      before: 'Open this link to make this the email address of your account. It works once, for 24 hours.',
      after: 'If you did not request this, you can ignore this mail.',
    },
    undo_email: {
      subject: 'Your email address for BigTech Chat was changed',
      before:
        'The email address of your account was changed. If this was not you, undo the change with this link within 7 days and set a new password. Undoing signs out every device.',
      after: 'If this was you, no action is needed.',
    },
    reset_password: {
      subject: 'Reset your password for BigTech Chat',
      before: 'Set a new password with this link. It works once, for 30 minutes.',
      after: 'If you did not request this, you can ignore this mail. Your password is unchanged.',
    },
    end_session: {
      subject: 'New sign-in to BigTech Chat',
      before:
        'A new device has signed in to your account. If this was not you, open this link within 7 days: it signs out the device and sends you a link for setting a new password.',
      after: 'If this was you, no action is needed.',
    },
    download_export: {
      subject: 'Your data from BigTech Chat is ready',
      before:
        'The data you requested is ready for download. Open this link on a device where you are signed in. It works once, for 7 days.',
      after:
        'If you did not request this, someone else is signed in to your account: change your password, and do not share this link.',
    },
  },
}

/** Paths of the links in the web client. The token is in the fragment, which reaches no server log and no referrer. */
const paths: Readonly<Record<AccountMailKind, string>> = {
  verify_email: '/account/email/confirm',
  change_email: '/account/email/confirm',
  undo_email: '/account/email/undo',
  reset_password: '/account/password/reset',
  end_session: '/account/sessions/report',
  download_export: '/account/export',
}

const signInWords = {
  ko: { device: '기기', place: '네트워크', time: '시각' },
  en: { device: 'Device', place: 'Network', time: 'Time' },
} as const

/** The known details of the sign-in that a mail is about. */
interface SignIn {
  readonly device: string | null
  readonly ip_prefix: string
  readonly at: string
}

export interface MailLink {
  readonly publicUrl: string
  readonly token: string
  readonly signIn?: SignIn | undefined
}

function describe({ device, ip_prefix, at }: SignIn, language: Language): string {
  const words = signInWords[language]
  const lines = [
    ...(device === null ? [] : [`${words.device}: ${device}`]),
    `${words.place}: ${ip_prefix}`,
    `${words.time}: ${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}`,
  ]
  return `${lines.join('\n')}\n\n`
}

/** Returns a mail with a one-time link. */
export function accountMail(kind: AccountMailKind, link: MailLink, language: Language): Mail {
  const { subject, before, after } = texts[language][kind]
  const url = new URL(paths[kind], link.publicUrl)
  url.hash = `token=${link.token}`
  const about = link.signIn ? describe(link.signIn, language) : ''
  return { subject, text: `${before}\n\n${about}${url}\n\n${after}\n\nBigTech Chat\n` }
}
