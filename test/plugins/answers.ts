// A plugin as a model writes it, first with two errors in it, then mended: for tests that play a whole turn.

const head = `<?php
/**
 * Plugin Name: Gift Wrapping
 * Description: Offers gift wrapping at the checkout.
 * Version: 1.0.0
 * Requires Plugins: woocommerce
 * Text Domain: gift-wrapping
 */
if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

add_action( 'admin_menu', 'giftwrap_add_page' );
function giftwrap_add_page() {
	add_submenu_page( 'woocommerce', __( 'Gift wrapping', 'gift-wrapping' ), __( 'Gift wrapping', 'gift-wrapping' ), 'manage_woocommerce', 'giftwrap', 'giftwrap_show_page' );
}

function giftwrap_show_page() {
	$price = get_option( 'giftwrap_price', '4.90' );
	?>
	<form method="post" action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>">
		<input type="hidden" name="action" value="giftwrap_save">
		<?php wp_nonce_field( 'giftwrap_save' ); ?>
		<input type="text" name="price" value="<?php echo PRICE; ?>">
		<?php submit_button(); ?>
	</form>
	<?php
}

add_action( 'admin_post_giftwrap_save', 'giftwrap_save' );
function giftwrap_save() {
GUARD	$price = wc_format_decimal( sanitize_text_field( wp_unslash( $_POST['price'] ?? '' ) ) );
	update_option( 'giftwrap_price', $price );
	wp_safe_redirect( admin_url( 'admin.php?page=giftwrap' ) );
	exit;
}
`
const guard = `	check_admin_referer( 'giftwrap_save' );
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		wp_die( esc_html__( 'You may not do this.', 'gift-wrapping' ) );
	}
`

/** Its save handler checks neither nonce nor capability; its price is printed unescaped. */
export const codeWithErrors = head.replace('PRICE', '$price').replace('GUARD', '')
/** The same without errors and warnings. */
export const mendedCode = head.replace('PRICE', 'esc_attr( $price )').replace('GUARD', guard)

/** An answer that holds code. */
export const answerWith = (code: string, prose = 'The plugin offers gift wrapping at the checkout.') =>
  `${prose}\n\n\`\`\`php\n${code}\`\`\`\n\nUpload it under **Plugins → Add New**.`
