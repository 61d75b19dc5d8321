const aside =
  /\b(?:usage|how to use|use it|using it|example (?:usage|use|of (?:using|how))|for example|alternative(?:ly)?|instead|variant)\b|^(?:(?:here(?:'s| is)|and) )?(?:an? )?(?:quick |small |simple )?(?:example|demo|test)s?$|\b(?:option|version|approach|solution|method) (?:\d|[a-d]|one|two|three)\b/i

/** Whether the words before a block say that it is an example of use or another way, not a part of the whole. */
export function isAside(words: string): boolean {
  const plain = words
    .slice(0, 600)
    .replaceAll(/[*_`#]/g, '')
    .replace(/[\s:.]+$/, '')
    .trim()
  return aside.test(plain)
}
