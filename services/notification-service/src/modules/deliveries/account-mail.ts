import type { AccountMailKind, Language, Mail } from './delivery.ts'

interface Text {
  readonly subject: string
  readonly before: string
  readonly after: string
}

/** Mails that a stranger may get contain nothing that whoever caused them has written. */
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
  },
  en: {
    verify_email: {
      subject: 'Verify your email address for BigTech Chat',
      before: 'Open this link to verify your email address. It works once, for 24 hours.',
      after: 'If it was not you who signed up, you can ignore this mail.',
    },
    change_email: {
      subject: 'Verify your new email address for BigTech Chat',
      before: 'Open this link to make this the email address of your account. It works once, for 24 hours.',
      after: 'If it was not you who asked for it, you can ignore this mail.',
    },
    undo_email: {
      subject: 'Your email address for BigTech Chat was changed',
      before:
        'The email address of your account was changed to another one. If it was not you, undo it with this link within 7 days and set a new password. Undoing signs out every device.',
      after: 'If it was you, there is nothing to do.',
    },
    reset_password: {
      subject: 'Reset your password for BigTech Chat',
      before: 'Set a new password with this link. It works once, for 30 minutes.',
      after: 'If it was not you who asked for it, you can ignore this mail: your password stays as it is.',
    },
  },
}

/** Where each link leads in the web client. The token is in the fragment: it reaches no server log and no referrer. */
const paths: Readonly<Record<AccountMailKind, string>> = {
  verify_email: '/account/email/confirm',
  change_email: '/account/email/confirm',
  undo_email: '/account/email/undo',
  reset_password: '/account/password/reset',
}

/** Returns a mail with a one-time link. */
export function accountMail(
  kind: AccountMailKind,
  link: { readonly publicUrl: string; readonly token: string },
  language: Language,
): Mail {
  const { subject, before, after } = texts[language][kind]
  const url = new URL(paths[kind], link.publicUrl)
  url.hash = `token=${link.token}`
  return { subject, text: `${before}\n\n${url}\n\n${after}\n\nBigTech Chat\n` }
}
