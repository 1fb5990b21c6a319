export declare const usage: string
export declare function unknownOption(args: readonly string[]): string | undefined
export declare function asksForHelp(args: readonly string[]): boolean
