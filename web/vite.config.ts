import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Builds the console into dist/web; the server serves that folder as it is, with no network needed at run time. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The page's content security policy allows files of its own origin only, so nothing becomes a data: URL.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    port: 5173,
    proxy: { '/api': 'http://127.0.0.1:3000', '/preview': 'http://127.0.0.1:3000' },
  },
})
