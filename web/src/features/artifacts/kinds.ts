import {
  IconBrandCss3,
  IconBrandHtml5,
  IconBrandJavascript,
  IconBrandPhp,
  IconBrandPython,
  IconBrandReact,
  IconBrandTypescript,
  IconCode,
  IconFileText,
} from '@tabler/icons-react'
import type { ArtifactType } from '../../api/types.ts'

interface Kind {
  label: string
  icon: typeof IconCode
  canPreview: boolean
}

const kinds: Readonly<Record<ArtifactType, Kind>> = {
  REACT: { label: 'React', icon: IconBrandReact, canPreview: true },
  HTML: { label: 'HTML', icon: IconBrandHtml5, canPreview: true },
  CSS: { label: 'CSS', icon: IconBrandCss3, canPreview: true },
  JAVASCRIPT: { label: 'JavaScript', icon: IconBrandJavascript, canPreview: true },
  TYPESCRIPT: { label: 'TypeScript', icon: IconBrandTypescript, canPreview: true },
  PYTHON: { label: 'Python', icon: IconBrandPython, canPreview: false },
  CODE: { label: 'Code', icon: IconCode, canPreview: false },
  OTHER: { label: 'Text', icon: IconFileText, canPreview: false },
}

const php: Kind = { label: 'PHP', icon: IconBrandPhp, canPreview: false }

const previewLanguages = new Set(['svg', 'markdown', 'md', 'html'])

/** What the panel knows about an artifact's type. */
export function kindOf(artifact: { type: ArtifactType; language: string | null }): Kind {
  if (artifact.type === 'CODE' && artifact.language === 'php') return php
  const kind = kinds[artifact.type] ?? kinds.OTHER
  const language = artifact.language ?? ''
  return previewLanguages.has(language) ? { ...kind, canPreview: true } : kind
}
