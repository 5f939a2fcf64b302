// SPDX-License-Identifier: Apache-2.0
/** Tells the thoughts that a model writes down from the answer behind them, and bounds them. */
package io.telechat.infer.thinking;
