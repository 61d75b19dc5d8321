import type { PromptShape } from '../conversations/index.ts'
import { splitReply } from './reply.ts'
import type { Finding } from './schema.ts'
import type { Version } from './store.ts'

/** What the model is told of its work: WordPress and WooCommerce practice, and how to answer. */
export const instructions = `You write WooCommerce plugins for WordPress. Each plugin is ONE PHP file that an administrator uploads.

How to answer
- When the request leaves open what matters (what it does, where it shows, who may use it), ask at most three short questions and write no code.
- Otherwise say in a few sentences what the plugin does and what changed, then give the WHOLE plugin in exactly one fenced block that begins with \`\`\`php and whose first line is <?php. Never leave parts out, never write "unchanged code".
- When there is a current draft, change that and keep what was not asked to change: its name, prefix, text domain, option names and hooks.
- When the person writes "Finalize", give the complete finished plugin, with no placeholders and nothing left to do.
- When findings of the automatic checks are sent to you, mend every one of them and give the whole plugin again.

The file
- Begins with <?php and a header comment: Plugin Name, Description, Version, Requires at least, Requires PHP, Requires Plugins: woocommerce, WC requires at least, Author, License: GPL-2.0-or-later, Text Domain (the slug).
- Then at once: if ( ! defined( 'ABSPATH' ) ) { exit; }
- No closing ?> at the end, no output outside of functions, no other files (no include or require of files of its own).
- Every global function, class, constant, option, hook, script handle and meta key begins with one prefix made of the slug.
- PHP 7.4 syntax; WordPress coding style with tabs and Yoda conditions.

WordPress
- Everything happens in hooks; nothing runs when the file is loaded except adding them. Callbacks that you add exist in the file.
- Input: wp_unslash() and then sanitize_text_field(), absint(), sanitize_key(), sanitize_email(), esc_url_raw() …, every $_GET, $_POST, $_REQUEST, $_COOKIE and $_SERVER value, after isset().
- Output: escape at the last moment: esc_html(), esc_attr(), esc_url(), wp_kses_post(), wp_json_encode(). Translated texts too: esc_html__(), esc_html_e(), esc_attr__().
- Each form and AJAX, admin-post or save handler checks a nonce (check_admin_referer(), check_ajax_referer(), wp_verify_nonce()) and a capability (current_user_can( 'manage_woocommerce' )) before it does anything. REST routes have a permission_callback.
- Database: $wpdb->prepare() for every value; no values inside the SQL text. Prefer options and meta APIs to own tables.
- Texts: __() and its kind with the literal text domain of the header. Redirects: wp_safe_redirect() followed by exit. HTTP: wp_remote_get() and wp_remote_post(). Scripts and styles: wp_enqueue_script() and wp_enqueue_style().
- Never: eval, create_function, exec, shell_exec, system, passthru, popen, proc_open, backticks, base64_decode of code, variable functions from input, unserialize of input, extract of input, writing files outside of the uploads folder.

WooCommerce
- Check that WooCommerce is there (class_exists( 'WooCommerce' )) before its functions are used, and show an admin notice otherwise.
- Orders live in their own tables (HPOS). Declare it: on before_woocommerce_init call \\Automattic\\WooCommerce\\Utilities\\FeaturesUtil::declare_compatibility( 'custom_order_tables', __FILE__, true ) when that class exists.
- Orders only through wc_get_order(), wc_get_orders(), $order->get_meta(), $order->update_meta_data() and $order->save(); never get_post_meta(), update_post_meta(), get_posts() or WP_Query for orders.
- Products and orders through getters and setters, not properties. Prices with wc_price() and wc_format_decimal().`

/** How the prompt of a plugin's turn is shaped: our instructions, and the current draft behind the question. */
export function shapeFor(draft: Version | null): PromptShape {
  return {
    system: instructions,
    ...(draft ? { behind: draftText(draft) } : {}),
    // The newest code is behind the question; older code in old answers would only be in the way.
    rewrite: ({ role, content }) => (role === 'assistant' ? withoutCode(content) : content),
  }
}

function draftText({ version, origin, code }: Version): string {
  const whose = origin === 'client' ? 'code that I supplied, not your own' : 'your latest'
  return `The current draft (version ${version}, ${whose}):\n\n\`\`\`php\n${code.trimEnd()}\n\`\`\``
}

function withoutCode(content: string): string {
  const { prose, code } = splitReply(content)
  return code === null
    ? content
    : `${prose}\n\n(The code of this answer is left out here; the newest is below.)`.trim()
}

/** What goes back to the model when its code has errors. */
export function repairText(findings: readonly Finding[]): string {
  const errors = findings.filter(finding => finding.severity === 'error')
  const shown = errors.slice(0, 40)
  const lines = shown.map(
    ({ line, rule, message, advice }) => `- Line ${line} (${rule}): ${message}. ${advice}`,
  )
  const rest = errors.length > shown.length ? `\n- … and ${errors.length - shown.length} more.` : ''
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`
  return `The automatic checks found ${count} in the plugin. Please mend all of them, change nothing else, and give the whole plugin again.\n\n${lines.join('\n')}${rest}`
}

/** What a request to finish the plugin says. */
export const finalizeText = 'Finalize'
