// SPDX-License-Identifier: Apache-2.0
/** Checkpoints of a run: written at once and whole, found again, gone on from. */
package io.telechat.train.resume;
