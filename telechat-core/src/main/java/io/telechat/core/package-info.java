// SPDX-License-Identifier: Apache-2.0
/**
 * The TeleChat decoder and everything below it. This root package holds only the exceptions that all of it throws.
 *
 * <p>Start at {@link io.telechat.core.model.CausalLm}: its page is the map of the model. Arrows between the packages
 * point one way and are checked by {@code ArchitectureRulesTest}.
 */
package io.telechat.core;
