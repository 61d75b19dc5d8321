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
  /** Whether its export is a project with npm scripts; else it is a zip of what there is. */
  isWeb: boolean
}

const kinds: Readonly<Record<ArtifactType, Kind>> = {
  REACT: { label: 'React', icon: IconBrandReact, canPreview: true, isWeb: true },
  HTML: { label: 'HTML', icon: IconBrandHtml5, canPreview: true, isWeb: true },
  CSS: { label: 'CSS', icon: IconBrandCss3, canPreview: true, isWeb: true },
  JAVASCRIPT: { label: 'JavaScript', icon: IconBrandJavascript, canPreview: true, isWeb: true },
  TYPESCRIPT: { label: 'TypeScript', icon: IconBrandTypescript, canPreview: true, isWeb: true },
  PYTHON: { label: 'Python', icon: IconBrandPython, canPreview: false, isWeb: false },
  CODE: { label: 'Code', icon: IconCode, canPreview: false, isWeb: false },
  OTHER: { label: 'Text', icon: IconFileText, canPreview: false, isWeb: false },
}

const php: Kind = { label: 'PHP', icon: IconBrandPhp, canPreview: false, isWeb: false }

const previewLanguages = new Set(['svg', 'markdown', 'md', 'html'])

/** What the panel knows about an artifact's type. */
export function kindOf(artifact: { type: ArtifactType; language: string | null }): Kind {
  if (artifact.type === 'CODE' && artifact.language === 'php') return php
  const kind = kinds[artifact.type] ?? kinds.OTHER
  const language = artifact.language ?? ''
  return previewLanguages.has(language) ? { ...kind, canPreview: true } : kind
}
