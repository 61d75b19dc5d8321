const conversationId = '0198c0de-5b7a-7000-8000-1f2e3d4c5b6a'
const messageId = '0198c0de-5b7b-7001-8000-1f2e3d4c5b6b'
const id = '0198c0de-5b7c-7002-8000-1f2e3d4c5b6c'
const at = '2026-01-02T03:04:05.000Z'
const link = 'https://atelier.example/api/artifacts/open/eyJ…'

const row = {
  ...{ id, messageId, title: 'Button', language: 'tsx', s3Key: `artifacts/${id}/Button.tsx`, s3Url: link },
  ...{ bundledHtmlKey: `artifacts/${id}/preview.html`, bundledHtmlUrl: link },
  ...{ fileSize: 512, type: 'REACT', createdAt: at, updatedAt: at },
}
const buildResult = {
  ...{ success: true, bundleSize: 2048, buildTime: 12 },
  ...{ dependencies: ['react'], installedPackages: ['react'], errors: [], warnings: [] },
}
const about = { id, title: 'Button', language: 'tsx', type: 'REACT', fileSize: 512, createdAt: at }

export const answer = {
  message: 'Message sent successfully',
  data: {
    messageId,
    conversationId,
    response: 'Here is a button: …',
    artifacts: [row],
    builds: 1,
    security: { isSecure: true, riskLevel: 'low', score: 100, issues: 0 },
    stats: {
      consolidatedCodeProcessed: 1,
      originalBlocks: 1,
      buildsCompleted: 1,
      securityScanEnabled: true,
    },
  },
}

export const conversations = {
  conversations: [
    {
      id: conversationId,
      title: 'Create a React button component',
      messageCount: 2,
      lastMessage: { content: 'Here is a button: …', role: 'ASSISTANT', createdAt: at },
      createdAt: at,
      updatedAt: at,
    },
  ],
  pagination: { page: 1, limit: 20, totalCount: 1, totalPages: 1, hasNext: false, hasPrev: false },
}

export const conversation = {
  conversation: {
    id: conversationId,
    title: 'Create a React button component',
    userId: id,
    createdAt: at,
    updatedAt: at,
    messages: [
      {
        id: messageId,
        conversationId,
        role: 'ASSISTANT',
        content: 'Here is …',
        createdAt: at,
        artifacts: [row],
      },
    ],
  },
}

export const renamed = {
  message: 'Conversation updated successfully',
  conversation: {
    id: conversationId,
    title: 'Buttons',
    createdAt: at,
    updatedAt: at,
    _count: { messages: 2 },
  },
}

export const conversationDeleted = { message: 'Conversation deleted successfully', deletedArtifacts: 1 }
export const artifactDeleted = { message: 'Artifact deleted successfully' }

export const exported = {
  conversation: {
    ...{ id: conversationId, title: 'Create a React button component', createdAt: at, updatedAt: at },
    user: { username: 'ada', email: 'ada@example.com' },
  },
  messages: [
    {
      ...{ id: messageId, role: 'ASSISTANT', content: 'Here is …', createdAt: at },
      artifacts: [{ ...about, downloadUrl: link }],
    },
  ],
  exportedAt: at,
}

export const artifact = { artifact: { ...row, message: { id: messageId, conversationId } } }
export const code = { code: 'export default function Button() { … }', artifact: about }
export const built = {
  success: true,
  message: 'Built',
  previewUrl: link,
  bundledHtmlUrl: link,
  buildResult,
}
const files = [{ fileName: 'Button.tsx', language: 'tsx', content: 'export …', fileSize: 512 }]
export const project = { project: { id, title: 'Button', framework: 'react', files }, files }
