const jobId = '0198c0de-5b7a-7000-8000-1f2e3d4c5b6a'
const _id = '0198c0de-5b7b-7001-8000-1f2e3d4c5b6b'
const userId = '0198c0de-5b7c-7002-8000-1f2e3d4c5b6c'
const at = '2026-01-02T03:04:05.000Z'
const asked = { prompt: 'Write about coffee', contentType: 'blog-post' }

export const queued = {
  ...{ message: 'Content generation job queued', jobId, status: 'queued', delaySeconds: 5 },
  ...{ scheduledFor: at, estimatedCompletionTime: at },
}
export const job = {
  ...{ jobId, status: 'completed', ...asked, scheduledFor: at, createdAt: at },
  ...{ generatedContent: 'Coffee is …', completedAt: at },
}
export const jobs = [{ _id: jobId, userId, ...job, updatedAt: at, __v: 0 }]
export const entry = {
  ...{ _id, userId, title: 'Coffee', type: 'blog-post', body: 'Coffee is …' },
  ...{ createdAt: at, updatedAt: at, __v: 0 },
}
export const entries = [entry]
export const saved = { message: 'Content saved successfully', content: entry }
export const removed = { id: _id }
export const generateBody = asked
export const entryBody = { title: 'Coffee', type: 'blog-post', body: 'Coffee is …' }
