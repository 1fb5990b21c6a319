/** A script in source form; a synthetic voice speaks its clips during setup. */
interface WrittenScript {
  readonly slug: string
  readonly title: string
  readonly description: string
  readonly language: 'ko' | 'en'
  readonly lines: readonly (readonly [actor: keyof typeof voices, text: string])[]
}

/** Voices of espeak-ng by actor. */
export const voices = { 하나: 'ko+f3', 민수: 'ko', Emma: 'en-us+f3', Jack: 'en-us' } as const

export const writtenScripts: readonly WrittenScript[] = [
  {
    slug: 'ko-movie-night',
    title: '영화 약속',
    description: '친구와 저녁에 영화를 보기로 해요.',
    language: 'ko',
    lines: [
      ['하나', '오늘 저녁에 같이 영화를 보러 갈까요'],
      ['민수', '좋아요 몇 시에 만나면 될까요'],
      ['하나', '일곱 시에 극장 앞에서 기다릴게요'],
      ['민수', '팝콘은 제가 살게요 이따 봐요'],
    ],
  },
  {
    slug: 'ko-lost-umbrella',
    title: '잃어버린 우산',
    description: '카페에 두고 온 우산을 찾아요.',
    language: 'ko',
    lines: [
      ['민수', '혹시 검은색 우산을 보지 못하셨나요'],
      ['하나', '창가 자리에 있던 우산 말씀이세요'],
      ['민수', '네 아버지께 선물 받은 거라서 꼭 찾고 싶어요'],
      ['하나', '다행히 제가 보관하고 있었어요'],
    ],
  },
  {
    slug: 'ko-job-interview',
    title: '첫 면접',
    description: '면접에서 자신을 소개해요.',
    language: 'ko',
    lines: [
      ['하나', '간단하게 자기소개를 부탁드립니다'],
      ['민수', '저는 사람들의 이야기를 듣는 것을 좋아합니다'],
      ['하나', '우리 회사에서 어떤 일을 하고 싶으세요'],
      ['민수', '모두가 쉽게 쓰는 서비스를 만들고 싶습니다'],
    ],
  },
  {
    slug: 'en-farewell',
    title: 'The last train',
    description: 'Two friends say goodbye on a platform.',
    language: 'en',
    lines: [
      ['Emma', 'I never asked you to come back and save me'],
      ['Jack', 'You would have done the same for me'],
      ['Emma', 'The train is leaving in a few minutes'],
      ['Jack', 'Promise that you will write to me'],
    ],
  },
  {
    slug: 'en-coffee-shop',
    title: 'The usual order',
    description: 'Ordering coffee on a busy morning.',
    language: 'en',
    lines: [
      ['Jack', 'Good morning what can I get for you'],
      ['Emma', 'A large coffee with a little milk please'],
      ['Jack', 'Would you like anything to eat with that'],
      ['Emma', 'No thank you I am already running late'],
    ],
  },
]
