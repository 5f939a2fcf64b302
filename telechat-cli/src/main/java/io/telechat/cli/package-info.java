// SPDX-License-Identifier: Apache-2.0
/**
 * The command line: one class per command, which parses options, calls the library and prints. Results go to stdout,
 * everything else to stderr. The only module that prints or exits.
 *
 * <p>Start at {@link io.telechat.cli.TelechatCli}; a new command is one class and one entry there.
 */
package io.telechat.cli;
