// SPDX-License-Identifier: Apache-2.0
/**
 * The one loop that generates: requests wait, are admitted, share passes through the model and blocks of keys and values, and
 * end. Start with {@link io.telechat.infer.engine.Engine}.
 */
package io.telechat.infer.engine;
