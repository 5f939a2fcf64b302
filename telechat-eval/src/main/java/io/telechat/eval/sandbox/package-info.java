// SPDX-License-Identifier: Apache-2.0
/** Runs programs that a model wrote, shut away from the machine. */
package io.telechat.eval.sandbox;
