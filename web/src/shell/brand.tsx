import classes from './brand.module.css'

/** The mark and the wordmark; the mark is an easel that is also a capital A. */
export function Brand({ size = 28 }: { size?: number }) {
  return (
    <span className={classes.brand} style={{ fontSize: size * 0.68 }}>
      <BrandMark size={size} />
      Atelier
    </span>
  )
}

/** The mark alone; decorative, so a reader hears only the text beside it. */
export function BrandMark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#146c52" />
      <path
        d="M8.5 24 16 7l7.5 17"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="20.2" r="2.6" fill="#f2c14e" />
    </svg>
  )
}
