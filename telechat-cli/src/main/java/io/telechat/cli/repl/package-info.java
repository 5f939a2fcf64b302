// SPDX-License-Identifier: Apache-2.0
/**
 * The dialog of {@code telechat chat}: {@link io.telechat.cli.repl.ChatRepl} is the loop,
 * {@link io.telechat.cli.repl.SlashCommands} what begins with a slash, {@link io.telechat.cli.repl.LineInput} where lines
 * come from: a terminal with editing and history, or a pipe.
 */
package io.telechat.cli.repl;
