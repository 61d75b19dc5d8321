import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** The one accent: viridian, a painter's green. Index 7 on white and 4 on ink both pass WCAG AA for text. */
const viridian: MantineColorsTuple = [
  '#eaf7f1',
  '#d5ebe1',
  '#abd6c3',
  '#7cc0a2',
  '#57ad88',
  '#3f9f76',
  '#27805e',
  '#146c52',
  '#0d5a44',
  '#064736',
]

/** Greys of the dark theme, faintly green, from text to the deepest ground. */
const dark: MantineColorsTuple = [
  '#e4e7e5',
  '#c3c8c5',
  '#9aa19d',
  '#6b736f',
  '#3a413e',
  '#2c3230',
  '#222725',
  '#1a1e1c',
  '#141715',
  '#0e100f',
]

/** Greys of the light theme: paper rather than screen. */
const gray: MantineColorsTuple = [
  '#f8f8f5',
  '#f1f1ed',
  '#e7e7e1',
  '#dbdbd4',
  '#c6c6be',
  '#a8a9a1',
  '#80827b',
  '#5d605a',
  '#3b3e3a',
  '#1e201e',
]

/** A quiet red and a quiet ochre for notices. */
const red: MantineColorsTuple = [
  '#fbefed',
  '#fae8e5',
  '#f0bfb9',
  '#e69a91',
  '#dc766b',
  '#cf5347',
  '#c03d31',
  '#a82f25',
  '#8c251c',
  '#6d1b14',
]
const yellow: MantineColorsTuple = [
  '#fdf7e4',
  '#fbf3da',
  '#f1da97',
  '#e8c562',
  '#deb03a',
  '#c99a22',
  '#a87f15',
  '#85640c',
  '#664c07',
  '#4a3704',
]

const sans = "'Geist Variable', ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
const mono = "'Geist Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace"

/** Colours, type and component defaults of the console. */
export const theme = createTheme({
  primaryColor: 'viridian',
  primaryShade: { light: 7, dark: 6 },
  colors: { viridian, dark, gray, red, yellow },
  black: '#1b1e1c',
  fontFamily: sans,
  fontFamilyMonospace: mono,
  headings: { fontFamily: sans, fontWeight: '600' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { styles: { root: { fontWeight: 500 } } },
    Alert: { styles: { root: { borderRadius: '0.7rem' } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Tooltip: {
      defaultProps: { openDelay: 350, withArrow: false, events: { hover: true, focus: true, touch: false } },
    },
    Modal: {
      styles: { title: { fontWeight: 600, fontSize: '1.05rem' } },
      defaultProps: {
        centered: true,
        radius: 'lg',
        overlayProps: { backgroundOpacity: 0.35, blur: 2 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Menu: { defaultProps: { shadow: 'md', radius: 'md' } },
    Popover: { defaultProps: { shadow: 'md', radius: 'md' } },
    Loader: { defaultProps: { type: 'dots' } },
  },
})
