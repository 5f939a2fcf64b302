// SPDX-License-Identifier: Apache-2.0
/**
 * What an evaluation has come to, for people: tables of text, pages of HTML, and how two runs differ. Reads what a run has written,
 * and nothing else.
 */
package io.telechat.eval.report;
