/**
 * Schemas that check what comes from outside: zod's small build, with its messages in English. The whole of zod takes the daemon 20 ms
 * longer to start.
 */
import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';

z.config(english());

export { z };
