// SPDX-License-Identifier: Apache-2.0
/** How the learning rate changes over a run. */
package io.telechat.train.schedule;
