import Type, { type Static } from 'typebox'

/** What an artifact is, as clients tell apart how to show it. */
export const artifactTypes = [
  'CODE',
  'HTML',
  'CSS',
  'REACT',
  'JAVASCRIPT',
  'TYPESCRIPT',
  'PYTHON',
  'OTHER',
] as const
export type ArtifactType = (typeof artifactTypes)[number]

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const common = {
  id: Type.String(),
  title: Type.String(),
  type: Type.String({ enum: [...artifactTypes], examples: ['REACT'] }),
  language: Type.String({ description: 'Of the file that matters most: tsx, html, python …' }),
  version: Type.Integer({ description: '1, 2, 3 … of the same thing within its conversation.' }),
  consolidatedFrom: Type.Array(Type.String(), {
    description:
      'Artifacts of the same answer that were merged into this one, in the order of their writing; empty for all others.',
    examples: [[]],
  }),
  consolidatedInto: Nullable(
    Type.String({ description: 'The artifact that this one, a block of an answer, was merged into.' }),
  ),
}

/** An artifact as a message lists it. */
export const ArtifactSummary = Type.Object({ ...common, fileCount: Type.Integer() })
export type ArtifactSummary = Static<typeof ArtifactSummary>

/** An artifact as the lists of a conversation and of versions show it, with its provenance. */
export const ListedArtifactView = Type.Object({
  ...common,
  fileCount: Type.Integer(),
  size: Type.Integer({ description: 'Bytes of all files together.' }),
  lineageId: Type.String({ description: 'The same for all versions of one thing.' }),
  messageId: Type.String({ description: 'The reply that holds the code.' }),
  generationId: Type.String(),
  model: Nullable(Type.String({ description: 'The model that wrote it.' })),
  createdAt: Type.String({ format: 'date-time' }),
})
export type ListedArtifactView = Static<typeof ListedArtifactView>

/** An artifact with where it comes from and what it consists of. */
export const ArtifactView = Type.Object({
  ...common,
  conversationId: Type.String(),
  messageId: Type.String({ description: 'The reply that holds the code.' }),
  generationId: Type.String(),
  lineageId: Type.String({ description: 'The same for all versions of one thing.' }),
  files: Type.Array(
    Type.Object({
      path: Type.String(),
      language: Type.String(),
      size: Type.Integer({ description: 'Bytes.' }),
    }),
  ),
  createdAt: Type.String({ format: 'date-time' }),
})
export type ArtifactView = Static<typeof ArtifactView>

export const FileView = Type.Object({
  path: Type.String(),
  language: Type.String(),
  content: Type.String({ examples: ['export default function Button() { … }'] }),
  size: Type.Integer({ description: 'Bytes.' }),
})

const BuildMessageView = Type.Object({
  text: Type.String(),
  file: Nullable(Type.String()),
  line: Nullable(Type.Integer({ description: '1-based.' })),
  column: Nullable(Type.Integer({ description: '0-based.' })),
  lineText: Nullable(Type.String()),
})

/** How a build went. Sources that do not build are an answer, not an error of the call. */
export const BuildView = Type.Object({
  ok: Type.Boolean(),
  bundleBytes: Nullable(
    Type.Integer({ description: 'Size of the bundle, libraries not counted.', examples: [2817] }),
  ),
  durationMs: Type.Number(),
  dependencies: Type.Array(Type.String({ description: 'Libraries that the code imports.' }), {
    examples: [['react']],
  }),
  errors: Type.Array(BuildMessageView, { examples: [[]] }),
  warnings: Type.Array(BuildMessageView, { examples: [[]] }),
})
export type BuildView = Static<typeof BuildView>

export const DownloadView = Type.Object({
  url: Type.String({ description: 'Needs no sign-in; holds for an hour.' }),
  expiresAt: Type.String({ format: 'date-time' }),
  fileName: Type.String(),
})

export const PreviewView = Type.Object({
  url: Type.String({ description: 'For an iframe with sandbox="allow-scripts"; holds for ten minutes.' }),
  expiresAt: Type.String({ format: 'date-time' }),
  build: BuildView,
})

export const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })

export const BuildBody = Type.Union([
  Type.Object(
    { minify: Type.Optional(Type.Boolean()) },
    { additionalProperties: false, examples: [{ minify: true }] },
  ),
  Type.Null(),
])

export const DownloadQuery = Type.Object({
  format: Type.Optional(
    Type.String({
      enum: ['auto', 'zip'],
      default: 'auto',
      description: '`zip`: a project with its own npm scripts, also of a single file.',
    }),
  ),
})

export const FixBody = Type.Union([
  Type.Object(
    {
      problems: Type.Optional(
        Type.Array(
          Type.Object(
            {
              text: Type.String({ minLength: 1, maxLength: 2000 }),
              place: Type.Optional(Type.String({ maxLength: 300 })),
            },
            { additionalProperties: false },
          ),
          {
            maxItems: 20,
            description: 'What its preview told while it ran; not needed when it does not build.',
          },
        ),
      ),
      model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    },
    {
      additionalProperties: false,
      examples: [{ problems: [{ text: 'x is not defined', place: 'App.tsx:4:2' }] }],
    },
  ),
  Type.Null(),
])
