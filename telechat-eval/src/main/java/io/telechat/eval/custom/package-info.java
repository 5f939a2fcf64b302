// SPDX-License-Identifier: Apache-2.0
/** Tasks of a user's own: questions in JSON lines, and a small YAML file that says what to make of them. */
package io.telechat.eval.custom;
