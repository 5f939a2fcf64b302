// SPDX-License-Identifier: Apache-2.0
/**
 * The part of Jinja 2 that chat templates are written in, without a way out of it. Start at {@link
 * io.telechat.core.chat.jinja.JinjaTemplate}; a template becomes tokens, statements and expressions, and a rendering gives these
 * their values within a budget. A new filter is one line of {@code Filters}.
 */
package io.telechat.core.chat.jinja;
