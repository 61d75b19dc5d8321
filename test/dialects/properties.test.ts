import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

// What the published contracts name in each answer is there, whoever of the clients reads it. A path with [] goes into the
// first element of a list; one that ends with ? may be null.
let server: TestApp
beforeAll(async () => {
  server = await startApp({ OTP_ECHO: 'true', SIGNUP_CREDITS: '20', BASIC_DAILY_MESSAGE_LIMIT: '50' })
  await server.app.work()
})
afterAll(() => server[Symbol.asyncDispose]())

/** The named paths that an answer lacks. */
function lacking(answer: unknown, paths: string): string[] {
  return paths
    .trim()
    .split(/\s+/)
    .filter(path => {
      const mayBeNull = path.endsWith('?')
      let value = answer
      for (const name of path.replace('?', '').split('.')) {
        const isList = name.endsWith('[]')
        const key = isList ? name.slice(0, -2) : name
        if (key !== '') value = (value as Record<string, unknown> | null)?.[key]
        if (isList) value = Array.isArray(value) ? value[0] : undefined
      }
      return value === undefined || (value === null && !mayBeNull)
    })
}

let token: string
async function expectAll(method: string, path: string, paths: string, body?: unknown, status = 200) {
  const answer = await server.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  expect([method, path, answer.status], answer.text).toEqual([method, path, status])
  expect([path, lacking(answer.body, paths)]).toEqual([path, []])
  return answer.body
}

const envelope = 'success data errors'
const person = 'data.user_pid data.email data.first_name data.last_name'

test('what lacks is found', () => {
  const answer = { list: [{ id: 1 }], none: null, empty: [] }
  const paths = 'list[].id list[].name none none? gone gone? empty[].id'
  expect(lacking(answer, paths)).toEqual(['list[].name', 'none', 'gone', 'gone?', 'empty[].id'])
})

test('Secret Echo', async () => {
  const email = 'echo@example.com'
  const signUp = { email, password: 'password123', first_name: 'Test', last_name: 'User' }
  await expectAll('POST', '/api/v1/auth/signup', `${envelope} ${person} data.token`, signUp)
  const entered = `${envelope} ${person} data.token`
  const login = { email, password: 'password123' }
  token = (await expectAll('POST', '/api/v1/auth/login', entered, login)).data.token
  await expectAll('GET', '/api/v1/users/me', `${envelope} ${person} data.created_at data.updated_at`)
  const { data } = await expectAll(
    'POST',
    '/api/v1/plugin/plugin-generator',
    `${envelope} data.message data.pluginId`,
    { pluginName: 'My Plugin' },
  )
  const { pluginId } = data
  const said = { pluginId, content: 'Hello', sender: 'user' }
  await expectAll('POST', '/api/v1/plugin/plugin-generator/message', `${envelope} data.message`, said)
  const saved = { pluginId, generatedPlugin: '<?php // mine' }
  await expectAll('POST', '/api/v1/plugin/plugin-generator/save-plugin', `${envelope} data.message`, saved)
  const line = 'content sender timestamp'.split(' ')
  const lines = (list: string) => line.map(name => `${list}.${name}`).join(' ')
  await expectAll(
    'GET',
    '/api/v1/plugin/plugin-generators',
    `${envelope} data[].pluginId data[].pluginName data[].generatedPlugin data[].isFinal ${lines('data[].chat[]')}`,
  )
  const history = `/api/v1/plugin/plugin-generator/chat-history?plugin_id=${pluginId}`
  await expectAll('GET', history, `${envelope} ${lines('data[]')}`)
  await expectAll('POST', '/api/v1/auth/logout', `${envelope} data.message`)
})

test('Gemini Backend', async () => {
  const mobile_number = '+1234567890'
  const user = 'user.id user.mobile_number user.name user.subscription_tier'
  const sent = 'success message otp expires_in'
  const { otp } = await expectAll('POST', '/api/auth/send-signup-otp', sent, { mobile_number })
  const wish = { mobile_number, otp, name: 'John Doe', password: 'password123' }
  await expectAll('POST', '/api/auth/verify-signup-otp', `success message token ${user}`, wish, 201)
  const login = { mobile_number, password: 'password123' }
  token = (await expectAll('POST', '/api/auth/login', `success message token ${user}`, login)).token
  const usage = 'usage.daily_messages_used usage.daily_message_limit usage.remaining_messages'
  await expectAll('GET', '/api/user/me', `success ${user} user.created_at ${usage}`)
  await expectAll('PUT', '/api/user/me', `success message ${user}`, { name: 'Jane Doe' })
  await expectAll(
    'GET',
    '/api/user/stats',
    'success stats.chatroom_count stats.message_count stats.ai_response_count',
  )
  const room = ['id', 'name', 'description', 'created_at']
  const rooms = (at: string) => room.map(name => `${at}.${name}`).join(' ')
  const wanted = { name: 'My First Chatroom', description: 'A test chatroom' }
  const made = await expectAll('POST', '/api/chatroom', `success message ${rooms('chatroom')}`, wanted, 201)
  const { id } = made.chatroom
  const message =
    'message.id message.content message.message_type message.processing_status message.created_at'
  const asked = await expectAll(
    'POST',
    `/api/chatroom/${id}/message`,
    `success ${message} queue_status`,
    { content: 'Hello, how are you?' },
    201,
  )
  const status = `/api/chatroom/message/${asked.message.id}/status`
  await expectAll('GET', status, `success ${message} message.chatroom_id message.chatroom_name`)
  await expect
    .poll(async () => (await server.call('GET', status, { token })).body.message.processing_status, {
      timeout: 30_000,
    })
    .toBe('completed')
  await expectAll(
    'GET',
    '/api/chatroom',
    `success cached ${rooms('chatrooms[]')} chatrooms[].message_count chatrooms[].last_message_at`,
  )
  const lines = message.replaceAll('message.', 'messages[].')
  await expectAll(
    'GET',
    `/api/chatroom/${id}`,
    `success ${rooms('chatroom')} chatroom.user_id chatroom.updated_at ${lines}`,
  )
  await expectAll('DELETE', `/api/chatroom/${id}`, 'success message')
  await expectAll(
    'GET',
    '/api/subscription/status',
    'success subscription.tier subscription.status subscription.current_period_end?',
  )
  const plan = ['id', 'name', 'price', 'currency', 'features[]', 'limits.daily_messages']
  await expectAll(
    'GET',
    '/api/subscription/plans',
    `success ${plan.map(name => `plans[].${name}`).join(' ')}`,
  )
  const bought = await expectAll('POST', '/api/subscription/pro', 'success message session_id checkout_url')
  const card = new URLSearchParams({ number: '4242424242424242', expiry: '12 / 34', cvc: '123' })
  const page = bought.checkout_url.replace('localhost', '127.0.0.1')
  await fetch(page, { method: 'POST', body: card, redirect: 'manual' })
  await expect
    .poll(
      async () => (await server.call('GET', '/api/subscription/status', { token })).body.subscription.tier,
      {
        timeout: 15_000,
      },
    )
    .toBe('pro')
  const subscription = ['id', 'status', 'cancel_at_period_end', 'current_period_end']
  const kept = `success message ${subscription.map(name => `subscription.${name}`).join(' ')}`
  await expectAll('POST', '/api/subscription/cancel', kept)
  await expectAll('POST', '/api/subscription/reactivate', kept)
  await expectAll(
    'GET',
    '/api/webhook/test',
    'success message timestamp configuration.stripe_connected configuration.webhook_secret_configured configuration.stripe_key_configured',
  )
  await expectAll('GET', '/api/queue/status', 'success waiting active completed failed delayed')
  await expectAll('POST', '/api/auth/forgot-password', sent, { mobile_number })
  const change = { current_password: 'password123', new_password: 'newpassword123' }
  await expectAll('POST', '/api/auth/change-password', 'success message', change)
})

test('AI Coding Agent', async () => {
  const email = 'agent@example.com'
  const user = 'user.id user.email user.username user.credits user.createdAt'
  const wish = { email, username: 'johndoe', password: 'password123' }
  await expectAll('POST', '/api/auth/register', `message token ${user}`, wish, 201)
  const login = { email, password: 'password123' }
  token = (await expectAll('POST', '/api/auth/login', `message token ${user}`, login)).token
  await expectAll(
    'GET',
    '/api/auth/me',
    `${user} user.updatedAt user.conversationCount user._count.conversations`,
  )
  await expectAll('POST', '/api/auth/refresh', 'message token')
  const artifact =
    'id messageId title language s3Key s3Url bundledHtmlKey? bundledHtmlUrl? fileSize type createdAt updatedAt'
  const artifacts = (at: string) =>
    artifact
      .split(' ')
      .map(name => `${at}.${name}`)
      .join(' ')
  const stats = ['consolidatedCodeProcessed', 'originalBlocks', 'buildsCompleted', 'securityScanEnabled']
  const security = ['isSecure', 'riskLevel', 'score', 'issues']
  const { data } = await expectAll(
    'POST',
    '/api/chat/send',
    `message data.messageId data.conversationId data.response data.builds ${artifacts('data.artifacts[]')}
     ${stats.map(name => `data.stats.${name}`).join(' ')} ${security.map(name => `data.security.${name}`).join(' ')}`,
    { message: 'Create a React button component', stream: false },
  )
  const page = 'page limit totalCount totalPages hasNext hasPrev'.split(' ')
  await expectAll(
    'GET',
    '/api/conversations',
    `conversations[].id conversations[].title conversations[].messageCount conversations[].createdAt
     conversations[].updatedAt conversations[].lastMessage.content conversations[].lastMessage.role
     conversations[].lastMessage.createdAt ${page.map(name => `pagination.${name}`).join(' ')}`,
  )
  const conversation = `/api/conversations/${data.conversationId}`
  const told = await expectAll(
    'GET',
    conversation,
    `conversation.id conversation.title conversation.userId conversation.createdAt conversation.updatedAt
     conversation.messages[].id conversation.messages[].conversationId conversation.messages[].role
     conversation.messages[].content conversation.messages[].createdAt`,
  )
  expect(lacking(told.conversation.messages[1], artifacts('artifacts[]'))).toEqual([])
  await expectAll(
    'PUT',
    conversation,
    'message conversation.id conversation.title conversation.createdAt conversation.updatedAt conversation._count.messages',
    { title: 'Buttons' },
  )
  const exported = await expectAll(
    'GET',
    `${conversation}/export?format=json`,
    `conversation.id conversation.title conversation.createdAt conversation.updatedAt conversation.user.username
     conversation.user.email messages[].id messages[].role messages[].content messages[].createdAt exportedAt`,
  )
  const file = 'id title language type fileSize downloadUrl createdAt'
  expect(lacking(exported.messages[1].artifacts[0], file)).toEqual([])
  const own = `/api/artifacts/${data.artifacts[0].id}`
  await expectAll('GET', own, `${artifacts('artifact')} artifact.message.id artifact.message.conversationId`)
  const head = ['id', 'title', 'language', 'type', 'fileSize', 'createdAt']
  await expectAll('GET', `${own}/code`, `code ${head.map(name => `artifact.${name}`).join(' ')}`)
  const project = ['fileName', 'language', 'content', 'fileSize']
  await expectAll(
    'GET',
    `${own}/project`,
    `project.id project.title project.framework ${project.map(name => `project.files[].${name} files[].${name}`).join(' ')}`,
  )
  const result = [
    'success',
    'bundleSize',
    'buildTime',
    'dependencies',
    'installedPackages',
    'errors',
    'warnings',
  ]
  const built = `success message previewUrl bundledHtmlUrl ${result.map(name => `buildResult.${name}`).join(' ')}`
  for (const verb of ['build', 'bundle', 'build-project']) await expectAll('POST', `${own}/${verb}`, built)
  await expectAll('DELETE', own, 'message')
  await expectAll('DELETE', conversation, 'message deletedArtifacts')
})

test('AI Content Generator', async () => {
  const email = 'writer@example.com'
  const document = '_id name email token'
  const wish = { name: 'Test User', email, password: 'password123' }
  await expectAll('POST', '/auth/register', document, wish, 201)
  token = (await expectAll('POST', '/auth/login', document, { email, password: 'password123' })).token
  await expectAll('GET', '/auth/me', '_id name email status __v')
  const asked = { prompt: 'Write about coffee', contentType: 'blog-post' }
  const queued = 'message jobId status delaySeconds scheduledFor estimatedCompletionTime'
  const { jobId } = await expectAll('POST', '/generate-content', queued, asked, 202)
  const job = 'jobId status contentType prompt scheduledFor createdAt'
  await expectAll('GET', `/generate-content/${jobId}`, job)
  await expect
    .poll(async () => (await server.call('GET', `/generate-content/${jobId}`, { token })).body.status, {
      timeout: 30_000,
    })
    .toBe('completed')
  const ended = `${job} generatedContent completedAt`
  await expectAll('GET', `/generate-content/${jobId}`, ended)
  const listed = `_id userId updatedAt __v ${ended}`.split(' ')
  await expectAll('GET', '/generate-content', listed.map(name => `[].${name}`).join(' '))
  const entry = ['_id', 'userId', 'title', 'type', 'body', 'createdAt', 'updatedAt', '__v']
  const saved = `message ${entry.map(name => `content.${name}`).join(' ')}`
  await expectAll('POST', `/generate-content/${jobId}/save`, saved, {}, 201)
  await expectAll('GET', '/content', entry.map(name => `[].${name}`).join(' '))
  const written = { title: 'Tea', type: 'note', body: 'Text' }
  const { _id } = await expectAll('POST', '/content', entry.join(' '), written, 201)
  await expectAll('GET', `/content/${_id}`, entry.join(' '))
  await expectAll('PUT', `/content/${_id}`, entry.join(' '), { title: 'Green tea' })
  await expectAll('DELETE', `/content/${_id}`, 'id')
})

test('Autoverse Hub', async () => {
  const email = 'hub@example.com'
  const password = 'SecurePass123!'
  const asked = { email, purpose: 'account-verification' }
  const { otp } = await expectAll('POST', '/api/auth/send-otp', 'message purpose expiresIn', asked)
  const proof = 'message verified email purpose verificationToken token'
  const { verificationToken } = await expectAll('POST', '/api/auth/verify-otp', proof, { ...asked, otp })
  const user = 'user.id user.email user.name user.planType user.creditsRemaining'
  const wish = { email, password, name: 'John Doe', verificationToken }
  await expectAll('POST', '/api/auth/register', `message accessToken ${user}`, wish, 201)
  const entered = `message accessToken refreshToken ${user}`
  const login = await expectAll('POST', '/api/auth/login', entered, { email, password })
  token = login.accessToken
  await expectAll('GET', '/api/auth/verify-token', `valid ${user} user.plan_type user.credits_remaining`)
  await expectAll('GET', '/api/auth/me', `success ${user} user.plan_type user.credits_remaining`)
  await expectAll('GET', '/api/csrf-token', 'csrfToken')
  const { refreshToken } = login
  await expectAll('POST', '/api/auth/refresh', `message ${user}`, { refreshToken })
  const key = ['id', 'provider', 'keyName', 'isActive', 'createdAt', 'updatedAt', 'apiKey']
  const given = { provider: 'openai', keyName: 'My OpenAI Key', apiKey: 'sk-a-key-of-nobody-1234' }
  const keys = key.map(name => `key.${name}`).join(' ')
  const kept = await expectAll('POST', '/byok/key', `success ${keys}`, given)
  await expectAll('GET', '/byok/keys', `success ${key.map(name => `keys[].${name}`).join(' ')}`)
  await expectAll('PUT', `/byok/key/${kept.key.id}`, `success ${keys}`, { keyName: 'Renamed' })
  await expectAll(
    'GET',
    '/api/byok/preference',
    'success api_key_preference? byok_locked_until? byok_activated_at? plan_type creditTier locked lockMessage?',
  )
  const chosen = 'success preference credits byokLockedUntil?'
  await expectAll('POST', '/api/byok/preference', chosen, { preference: 'byok' })
  await expectAll('DELETE', `/byok/key/${kept.key.id}`, 'success')
  for (const path of ['/api/credits', '/api/credits/balance'])
    await expectAll('GET', path, 'balance creditsRemaining source scope')
  const entry = ['id', 'type', 'creditsAmount', 'costInRupees', 'description', 'createdAt']
  await expectAll(
    'GET',
    '/api/credits/history',
    `${entry.map(name => `transactions[].${name}`).join(' ')} pagination.page pagination.limit pagination.totalCount
     pagination.totalPages source scope`,
  )
  const bought = 'message creditsAdded creditsRemaining transactionId demo'
  await expectAll('POST', '/api/credits/purchase', `success balance ${bought}`, { packageId: 'small' })
  const spent = 'message creditsDeducted creditsRemaining transactionId'
  await expectAll('POST', '/api/credits/deduct', spent, { operation: 'chat', cost: 1 })
  const plan = `currentPlan.type currentPlan.name currentPlan.creditsRemaining currentPlan.effectiveCredits
    currentPlan.platformCredits currentPlan.byokCredits currentPlan.hasOwnKeys currentPlan.apiKeyPreference?
    currentPlan.individualPlan currentPlan.teamPlan? currentPlan.hasTeamAccess currentPlan.automationAccess.active
    currentPlan.automationAccess.packages currentPlan.agencyAddonAccess limits.profilesPerPlatform
    limits.totalSocialAccounts limits.teamMembers features`
  const offer = [
    'type',
    'name',
    'credits',
    'platformCredits',
    'byokCredits',
    'bonusCredits',
    'features',
    'support',
    'price',
  ]
  const offers = offer.map(name => `availablePlans[].${name}`).join(' ')
  for (const path of ['/api/plans', '/api/plans/limits'])
    await expectAll('GET', path, `${plan} support ${offers} availableAutomationAddons availableAgencyAddons`)
  await expectAll('GET', '/api/plans/current', `success plan.type ${plan}`)
  const packages = ['id', 'credits', 'price'].map(name => `creditPackages[].${name}`).join(' ')
  await expectAll('GET', '/api/payments/packages', `${packages} planPackages addonPackages`)
  const order = { type: 'credits', package: 'small' }
  const { orderId } = await expectAll(
    'POST',
    '/api/payments/create-order',
    'orderId amount currency description demo',
    order,
  )
  const paid = { razorpayOrderId: orderId, razorpayPaymentId: 'demo', razorpaySignature: 'demo' }
  await expectAll('POST', '/api/payments/verify', bought, paid)
  const reset = { email, purpose: 'password-reset' }
  const code = (await expectAll('POST', '/api/auth/send-otp', 'message purpose expiresIn', reset)).otp
  const proven = await expectAll('POST', '/api/auth/verify-otp', proof, { ...reset, otp: code })
  const change = { newPassword: 'NewSecurePass123!', verificationToken: proven.verificationToken }
  await expectAll('POST', '/api/auth/change-password', 'message email', change)
  const gone = { password: 'NewSecurePass123!' }
  await expectAll('DELETE', '/api/auth/delete-account', 'message deleted', gone)
})
