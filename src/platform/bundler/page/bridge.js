// Runs first in every preview. Tells the page around it what happens here: {source: 'atelier-preview', type, …}.
;(() => {
  const limits = { burst: 200, perSecond: 50, args: 20, text: 2000, depth: 4, keys: 50 }
  const send = window.parent === window ? () => {} : message => window.parent.postMessage(message, '*')
  let allowance = limits.burst
  let refilledAt = Date.now()
  let dropped = 0

  function post(message) {
    const now = Date.now()
    allowance = Math.min(limits.burst, allowance + ((now - refilledAt) / 1000) * limits.perSecond)
    refilledAt = now
    if (allowance < 1) {
      dropped++
      return
    }
    if (dropped > 0) {
      const args = [`${dropped} messages were left out, because there were too many at once`]
      dropped = 0
      send({ source: 'atelier-preview', type: 'console', level: 'warn', args })
    }
    allowance--
    send({ source: 'atelier-preview', ...message })
  }

  function cut(text) {
    return text.length > limits.text ? `${text.slice(0, limits.text - 1)}…` : text
  }

  function show(value) {
    if (typeof value === 'string') return cut(value)
    try {
      return cut(describe(value, 0, new Set()))
    } catch {
      return '[cannot be shown]'
    }
  }

  function describe(value, depth, seen) {
    if (typeof value === 'string') return JSON.stringify(cut(value))
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'function') return `ƒ ${value.name || 'anonymous'}()`
    if (typeof value !== 'object' || value === null) return String(value)
    if (value instanceof Error) return `${value.name}: ${value.message}`
    if (value instanceof Element) return value.cloneNode(false).outerHTML
    if (value instanceof Date || value instanceof RegExp) return String(value)
    if (seen.has(value)) return '[circular]'
    if (depth >= limits.depth) return Array.isArray(value) ? '[…]' : '{…}'
    seen.add(value)
    const text = describeMembers(value, depth, seen)
    seen.delete(value)
    return text
  }

  function describeMembers(value, depth, seen) {
    if (Array.isArray(value)) {
      const items = value.slice(0, limits.keys).map(item => describe(item, depth + 1, seen))
      return `[${items.join(', ')}${value.length > limits.keys ? ', …' : ''}]`
    }
    if (value instanceof Map || value instanceof Set) {
      return `${value.constructor.name} ${describeMembers([...value].slice(0, limits.keys + 1), depth, seen)}`
    }
    const keys = Object.keys(value)
    const members = keys.slice(0, limits.keys).map(key => `${key}: ${describe(value[key], depth + 1, seen)}`)
    return `{${members.join(', ')}${keys.length > limits.keys ? ', …' : ''}}`
  }

  for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
    // biome-ignore lint/suspicious/noConsole: relaying the console is what this is for
    const original = console[level].bind(console)
    console[level] = (...args) => {
      original(...args)
      post({ type: 'console', level, args: format(args).slice(0, limits.args) })
    }
  }

  // React writes its warnings with %s; what follows the text fills the places.
  function format(args) {
    if (typeof args[0] !== 'string' || !args[0].includes('%')) return args.map(show)
    const rest = args.slice(1)
    const first = args[0].replace(/%[sdifoOc]/g, place => {
      if (rest.length === 0) return place
      const value = rest.shift()
      return place === '%c' ? '' : show(value)
    })
    return [cut(first), ...rest.map(show)]
  }

  function fail(error, place) {
    const isError = error instanceof Error
    post({
      type: 'error',
      message: isError ? cut(`${error.name}: ${error.message}`) : show(error),
      stack: isError ? cut(String(error.stack ?? '')) : null,
      line: place?.lineno ?? null,
      column: place?.colno ?? null,
    })
  }

  window.addEventListener('error', event => {
    if (event instanceof ErrorEvent) fail(event.error ?? event.message, event)
  })
  window.addEventListener('unhandledrejection', event => fail(event.reason))
  // Browsers tell their own console alone what the policy has stopped.
  window.addEventListener('securitypolicyviolation', event => {
    const args = [
      cut(`"${event.blockedURI}" is not loaded: previews have no network (${event.effectiveDirective})`),
    ]
    post({ type: 'console', level: 'warn', args })
  })
  // Dialogs are not allowed here; what they would say is still worth seeing.
  // biome-ignore lint/suspicious/noConsole: relaying the console is what this is for
  window.alert = text => console.info(String(text ?? ''))
  // Forms cannot be sent from here, and browsers then do not even say `submit`; so that is done in their place.
  function submit(form, submitter) {
    if (!form.noValidate && !submitter?.formNoValidate && !form.reportValidity()) return
    form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true, submitter }))
  }
  HTMLFormElement.prototype.requestSubmit = function (submitter) {
    submit(this, submitter ?? null)
  }
  window.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest('button, input') : null
    if (event.defaultPrevented || !button?.form || (button.type !== 'submit' && button.type !== 'image'))
      return
    event.preventDefault()
    submit(button.form, button)
  })
  window.addEventListener('keydown', event => {
    const form = event.target instanceof HTMLInputElement ? event.target.form : null
    if (event.key !== 'Enter' || event.defaultPrevented || event.isComposing || !form) return
    if (/^(?:submit|image|button|reset|checkbox|radio|file)$/.test(event.target.type)) return
    if (form.querySelector('button:not([type]), [type=submit], [type=image]')) return
    event.preventDefault()
    submit(form, null)
  })
  window.addEventListener('load', () => {
    post({ type: 'ready', title: cut(document.title), height: document.documentElement.scrollHeight })
  })
  Object.defineProperty(window, '__atelierFailed', { value: fail })
})()
