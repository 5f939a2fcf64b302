// SPDX-License-Identifier: Apache-2.0
/** From gradients to new parameters. */
package io.telechat.train.optimizer;
