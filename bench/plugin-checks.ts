// Checks of a plugin of 50 KB, in the thread in which servers do it: npm run bench:plugins

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createChecker } from '../src/features/plugins/checker.ts'
import { parse } from '../src/features/plugins/checks/tree.ts'

const rounds = 60
const size = 50 * 1024

/** A part of a plugin as models write them: a settings page, an AJAX handler, an order hook, a query and a class. */
const part = (at: number) => `
add_action( 'admin_menu', 'giftwrap_menu_${at}' );
function giftwrap_menu_${at}() {
	add_submenu_page( 'woocommerce', __( 'Gift wrapping', 'giftwrap' ), __( 'Gift wrapping', 'giftwrap' ), 'manage_woocommerce', 'giftwrap-${at}', 'giftwrap_page_${at}' );
}

function giftwrap_page_${at}() {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		wp_die( esc_html__( 'You may not do this.', 'giftwrap' ) );
	}
	if ( isset( $_POST['giftwrap_price'] ) && check_admin_referer( 'giftwrap_save_${at}' ) ) {
		$price = wc_format_decimal( sanitize_text_field( wp_unslash( $_POST['giftwrap_price'] ) ) );
		update_option( 'giftwrap_price_${at}', $price );
		echo '<div class="notice notice-success"><p>' . esc_html__( 'Saved.', 'giftwrap' ) . '</p></div>';
	}
	$price = get_option( 'giftwrap_price_${at}', '4.90' );
	?>
	<div class="wrap">
		<h1><?php echo esc_html( get_admin_page_title() ); ?></h1>
		<form method="post">
			<?php wp_nonce_field( 'giftwrap_save_${at}' ); ?>
			<input type="text" name="giftwrap_price" value="<?php echo esc_attr( $price ); ?>" />
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

add_action( 'wp_ajax_giftwrap_note_${at}', 'giftwrap_note_${at}' );
function giftwrap_note_${at}() {
	check_ajax_referer( 'giftwrap_note', 'nonce' );
	if ( ! current_user_can( 'edit_shop_orders' ) ) {
		wp_send_json_error( array( 'message' => __( 'You may not do this.', 'giftwrap' ) ), 403 );
	}
	$order = wc_get_order( isset( $_POST['order_id'] ) ? absint( $_POST['order_id'] ) : 0 );
	if ( ! $order ) {
		wp_send_json_error( array( 'message' => __( 'There is no such order.', 'giftwrap' ) ), 404 );
	}
	$note = isset( $_POST['note'] ) ? sanitize_textarea_field( wp_unslash( $_POST['note'] ) ) : '';
	$order->update_meta_data( '_giftwrap_note', $note );
	$order->save();
	wp_send_json_success( array( 'note' => $note ) );
}

add_action( 'woocommerce_admin_order_data_after_billing_address', 'giftwrap_show_${at}' );
function giftwrap_show_${at}( $order ) {
	$note = $order->get_meta( '_giftwrap_note' );
	if ( '' !== $note ) {
		printf( '<p><strong>%s</strong> %s</p>', esc_html__( 'Gift note:', 'giftwrap' ), esc_html( $note ) );
	}
}

function giftwrap_count_${at}( $from, $to ) {
	global $wpdb;
	$table = $wpdb->prefix . 'giftwrap_log';
	$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT product_id, COUNT(*) AS total FROM {$table} WHERE created_at BETWEEN %s AND %s GROUP BY product_id", $from, $to ) );
	$total = 0;
	foreach ( $rows as $row ) {
		$product = wc_get_product( (int) $row->product_id );
		if ( $product && $product->is_visible() && 'publish' === $product->get_status() ) {
			$total += (int) $row->total;
		}
	}
	return $total > 0 ? $total : 0;
}

class Giftwrap_Rule_${at} {
	private $rates = array( 'small' => 2.5, 'medium' => 4.9, 'large' => 7.5 );

	public function __construct() {
		add_filter( 'woocommerce_cart_calculate_fees', array( $this, 'add_fee' ), 20, 1 );
	}

	public function add_fee( $cart ) {
		if ( is_admin() && ! defined( 'DOING_AJAX' ) ) {
			return;
		}
		$count = 0;
		foreach ( $cart->get_cart() as $item ) {
			if ( ! empty( $item['giftwrap'] ) ) {
				$count += (int) $item['quantity'];
			}
		}
		$size = $count > 10 ? 'large' : ( $count > 3 ? 'medium' : 'small' );
		if ( $count > 0 && isset( $this->rates[ $size ] ) ) {
			$cart->add_fee( sprintf( /* translators: %d: number of items */ __( 'Gift wrapping for %d items', 'giftwrap' ), $count ), $this->rates[ $size ] * $count );
		}
	}
}
`

function plugin(): string {
  let code = `<?php
/**
 * Plugin Name: Gift wrapping
 * Version: 1.0.0
 * Text Domain: giftwrap
 */
if ( ! defined( 'ABSPATH' ) ) {
	exit;
}
add_action( 'before_woocommerce_init', function () {
	if ( class_exists( '\\Automattic\\WooCommerce\\Utilities\\FeaturesUtil' ) ) {
		\\Automattic\\WooCommerce\\Utilities\\FeaturesUtil::declare_compatibility( 'custom_order_tables', __FILE__, true );
	}
} );
`
  for (let at = 1; code.length < size; at++) code += part(at)
  return code
}

const say = (line: string) => void process.stdout.write(`${line}\n`)
const sorted = (times: number[]) => times.toSorted((one, other) => one - other)
const told = (times: number[]) =>
  `median ${sorted(times)[Math.floor(times.length / 2)]?.toFixed(1)} ms, slowest ${sorted(times).at(-1)?.toFixed(1)} ms`

const code = plugin()
const checker = createChecker()
try {
  const begun = performance.now()
  const first = await checker.check(code, 'an account')
  say(`${(code.length / 1024).toFixed(1)} KB of PHP, ${first.findings.length} findings`)
  say(`the first check, with the start of its thread: ${(performance.now() - begun).toFixed(0)} ms`)

  const waited: number[] = []
  const worked: number[] = []
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) {
    const asked = performance.now()
    worked.push((await checker.check(code, 'an account')).durationMs)
    waited.push(performance.now() - asked)
  }
  const { user, system } = process.cpuUsage(before)
  say(`a check, as whoever waits for it sees it: ${told(waited)}`)
  say(`a check, in its thread: ${told(worked)}; CPU ${((user + system) / 1000 / rounds).toFixed(1)} ms each`)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const twenty = performance.now()
  await Promise.all(Array.from({ length: 20 }, (_, at) => checker.check(code, `account ${at}`)))
  delay.disable()
  say(
    `twenty at once: ${(performance.now() - twenty).toFixed(0)} ms for all; the event loop beside them is late by ` +
      `${((delay.percentile(99) - 1e6) / 1e6).toFixed(1)} ms (p99), ${((delay.max - 1e6) / 1e6).toFixed(1)} ms (most)`,
  )
} finally {
  await checker.close()
}

const parsed: number[] = []
for (let round = 0; round < rounds; round++) {
  const asked = performance.now()
  parse(code)
  parsed.push(performance.now() - asked)
}
say(`the parser alone: ${told(parsed)}`)
