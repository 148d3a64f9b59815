import { fileURLToPath } from 'node:url';

/** Top of the checkout; this file runs as build/bench/js/scripts/bench/places.js. */
export const CHECKOUT = fileURLToPath(new URL('../../../../..', import.meta.url)).replace(/\/$/, '');
/** What scripts/bench/Makefile built, and the peers' modules. */
export const BUILT = `${CHECKOUT}/build/bench`;
export const PEERS = `${BUILT}/peers`;
/** Where the driver finds libnss_bench and liboath. */
export const LIBRARIES = `${BUILT}/lib:${PEERS}`;
