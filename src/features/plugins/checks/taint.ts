import { isInput, type Place, type Scope } from './outline.ts'
import { argumentsOf, calledName, calls, childrenOf, isFunction, type Node } from './tree.ts'

const names = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Their results may be printed. */
export const escapers = names(`
  esc_html esc_attr esc_url esc_js esc_textarea esc_xml esc_html__ esc_attr__ esc_html_x esc_attr_x esc_url_raw wp_kses
  wp_kses_post wp_kses_data tag_escape intval absint floatval boolval number_format number_format_i18n count strlen
  wp_json_encode wc_price wp_nonce_field wp_create_nonce selected checked disabled get_the_id wc_kses_notice
  wp_get_attachment_image wc_help_tip`)

/** Their results may be kept. */
export const sanitizers = names(`
  sanitize_text_field sanitize_textarea_field sanitize_email sanitize_key sanitize_title sanitize_file_name sanitize_url
  sanitize_html_class sanitize_user sanitize_hex_color sanitize_mime_type sanitize_option sanitize_meta wc_clean
  wc_sanitize_textarea wc_sanitize_coupon_code wc_format_decimal wc_stock_amount wp_verify_nonce is_email is_numeric
  filter_var in_array array_key_exists rest_sanitize_boolean map_deep array_map wp_parse_id_list wp_check_filetype
  wp_handle_upload media_handle_upload hash_equals check_admin_referer check_ajax_referer wp_strip_all_tags
  wp_validate_boolean`)

/** They give on what they get. */
const passing = names(`
  wp_unslash trim ltrim rtrim stripslashes stripslashes_deep strtolower strtoupper ucfirst substr str_replace implode
  explode urldecode rawurldecode base64_decode html_entity_decode sprintf array_merge current reset strval wp_parse_args
  nl2br wpautop apply_filters`)

const cleanCasts = names('int integer float double bool boolean')

/** What may come from outside in one function: the variables that hold it. */
export type Tainted = ReadonlySet<string>

/** Whether a value may hold what came from outside as it came; `clean` names the functions after which it is fine. */
export function isTainted(node: Node, tainted: Tainted, clean: ReadonlySet<string>): boolean {
  if (isInput(node)) return true
  if (node.kind === 'variable') return typeof node.name === 'string' && tainted.has(node.name)
  if (node.kind === 'cast')
    return !cleanCasts.has(String(node.type)) && isTainted(node.expr as Node, tainted, clean)
  if (['isset', 'empty', 'closure', 'arrowfunc', 'new'].includes(node.kind)) return false
  if (node.kind === 'bin' && isComparison(String(node.type))) return false
  if (node.kind === 'unary' && node.type === '!') return false
  if (node.kind === 'retif') {
    const whole = node.trueExpr ?? node.test
    return [whole, node.falseExpr].some(one => isTainted(one as Node, tainted, clean))
  }
  if (node.kind === 'offsetlookup') return isTainted(node.what as Node, tainted, clean)
  if (node.kind === 'call') {
    const name = calledName(node)
    if (clean.has(name) || !passing.has(name)) return false
    return argumentsOf(node).some(argument => isTainted(argument, tainted, clean))
  }
  return childrenOf(node).some(child => isTainted(child, tainted, clean))
}

function isComparison(operator: string): boolean {
  return /^(?:[=!]==?|<>|<=?|>=?|<=>|&&|\|\||and|or|xor|instanceof)$/.test(operator)
}

/** The variables of a function that hold what came from outside and did not pass one of the `clean` functions. */
export function taintedIn(scope: Scope, clean: ReadonlySet<string>): Tainted {
  const tainted = new Set<string>()
  if (scope.inputs.length === 0) return tainted
  // Twice, so that a loop's second round is seen.
  for (let round = 0; round < 2; round++) {
    for (const node of scope.assignments) {
      if (node.kind === 'foreach') mark(node.value as Node, node.source as Node)
      else mark(node.left as Node, node.right as Node)
    }
  }
  function mark(target: Node, source: Node) {
    if (target.kind !== 'variable' || typeof target.name !== 'string' || isInput(target)) return
    if (isTainted(source, tainted, clean)) tainted.add(target.name)
  }
  return tainted
}

const nothing: ReadonlySet<string> = new Set()

/** The variables that hold what came from outside, whatever it passed but a cast. */
export const inputIn = (scope: Scope): Tainted => taintedIn(scope, nothing)

/** Whether a use of input asks about it only, or makes it fit: a comparison, a sanitizer, a cast, an `isset` around it. */
export function isHandled({ outer }: Place): boolean {
  for (let place = outer; place && !isFunction(place.node); place = place.outer) {
    const { node } = place
    if (calls(node, sanitizers) || calls(node, escapers)) return true
    if (node.kind === 'cast' && cleanCasts.has(String(node.type))) return true
    if (node.kind === 'isset' || node.kind === 'empty' || node.kind === 'unset') return true
    if (node.kind === 'bin' && isComparison(String(node.type))) return true
    if (node.kind === 'unary' && node.type === '!') return true
    if (node.kind === 'assign' && isInput(((node.left as Node).what as Node) ?? (node.left as Node)))
      return true
    if (['expressionstatement', 'echo', 'return', 'block'].includes(node.kind)) return false
  }
  return false
}

/** Whether the nearest thing around is an `if` or the like that only asks whether it is there. */
export function isAsked({ node, outer }: Place): boolean {
  return outer !== null && ['if', 'while'].includes(outer.node.kind) && outer.node.test === node
}
