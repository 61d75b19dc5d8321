import { heading } from './frame.ts'
import type { Look } from './wish.ts'

const longestName = 5
const joining =
  /^(?:to|for|on|of|in|at|by|from|with|without|and|or|per|when|where|that|which|so|if|into|during)$/i
const opening = /^(?:a|an|the|all|each|every|some|any|my|our|their|is|are)$/i

/** The first words that stand by themselves: they end before a word that joins what is left out. */
function shortened(words: readonly string[]): string[] {
  const joint = words.findIndex((word, index) => index > 1 && joining.test(word))
  const kept = words.length <= longestName ? words : words.slice(0, joint > 0 ? joint : longestName - 1)
  const end = kept.findLastIndex(word => !joining.test(word) && !opening.test(word))
  return kept.slice(0, end + 1)
}

/** The plugin's name as it stands in its header, and the slug that its functions and options start with. */
export function pluginName(look: Look): { name: string; slug: string } {
  const words = shortened(
    look.subject
      .normalize('NFKD')
      .replace(/[^a-z0-9 ]/gi, ' ')
      .split(' ')
      .filter(Boolean),
  )
  const slug = words.join('-').toLowerCase() || 'shop-notice'
  const name = words.length > 0 ? heading({ ...look, subject: words.join(' ') }) : 'Shop notice'
  return { name, slug: /^[a-z]/.test(slug) ? slug : `shop-${slug}` }
}

/**
 * A whole WooCommerce plugin in one file: a notice on product pages, its settings page with nonce and sanitising, the
 * declaration for high-performance order storage, and a clean-up when it is deleted.
 */
export function pluginSource(look: Look): string {
  const { name, slug } = pluginName(look)
  const prefix = slug.replaceAll('-', '_')
  return `<?php
/**
 * Plugin Name:          ${name}
 * Description:          Shows a notice on every product page; the text is set under WooCommerce. Written by the sandbox model.
 * Version:              1.0.0
 * Requires at least:    6.4
 * Requires PHP:         7.4
 * Requires Plugins:     woocommerce
 * WC requires at least: 8.2
 * Author:               Atelier sandbox
 * License:              GPL-2.0-or-later
 * Text Domain:          ${slug}
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

const ${prefix.toUpperCase()}_OPTION = '${prefix}_text';

add_action( 'before_woocommerce_init', '${prefix}_declare_compatibility' );
add_action( 'plugins_loaded', '${prefix}_start' );
register_uninstall_hook( __FILE__, '${prefix}_uninstall' );

/** Orders are not touched, so high-performance order storage is fine. */
function ${prefix}_declare_compatibility() {
	if ( class_exists( \\Automattic\\WooCommerce\\Utilities\\FeaturesUtil::class ) ) {
		\\Automattic\\WooCommerce\\Utilities\\FeaturesUtil::declare_compatibility( 'custom_order_tables', __FILE__, true );
	}
}

function ${prefix}_start() {
	if ( ! class_exists( 'WooCommerce' ) ) {
		add_action( 'admin_notices', '${prefix}_missing_woocommerce' );
		return;
	}
	add_action( 'woocommerce_single_product_summary', '${prefix}_show', 25 );
	add_action( 'admin_menu', '${prefix}_menu' );
	add_action( 'admin_init', '${prefix}_settings' );
}

function ${prefix}_missing_woocommerce() {
	echo '<div class="notice notice-error"><p>' . esc_html__( '${name} needs WooCommerce to be active.', '${slug}' ) . '</p></div>';
}

/** The notice on a product page; nothing when no text is set. */
function ${prefix}_show() {
	$text = get_option( ${prefix.toUpperCase()}_OPTION, __( 'Free shipping on this product.', '${slug}' ) );
	if ( '' === $text ) {
		return;
	}
	printf( '<p class="${slug}" style="border-left:4px solid ${look.accent};padding:0.5em 1em">%s</p>', esc_html( $text ) );
}

function ${prefix}_menu() {
	add_submenu_page( 'woocommerce', __( '${name}', '${slug}' ), __( '${name}', '${slug}' ), 'manage_woocommerce', '${slug}', '${prefix}_page' );
}

function ${prefix}_settings() {
	register_setting(
		'${slug}',
		${prefix.toUpperCase()}_OPTION,
		array(
			'type'              => 'string',
			'sanitize_callback' => 'sanitize_text_field',
		)
	);
}

function ${prefix}_page() {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return;
	}
	?>
	<div class="wrap">
		<h1><?php echo esc_html( get_admin_page_title() ); ?></h1>
		<form method="post" action="options.php">
			<?php settings_fields( '${slug}' ); ?>
			<label for="${slug}-text"><?php esc_html_e( 'Notice', '${slug}' ); ?></label>
			<input id="${slug}-text" class="regular-text" name="<?php echo esc_attr( ${prefix.toUpperCase()}_OPTION ); ?>" value="<?php echo esc_attr( get_option( ${prefix.toUpperCase()}_OPTION, '' ) ); ?>" />
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

/** Leaves nothing behind. */
function ${prefix}_uninstall() {
	delete_option( '${prefix}_text' );
}
`
}
