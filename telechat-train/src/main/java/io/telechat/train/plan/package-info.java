// SPDX-License-Identifier: Apache-2.0
/** What a run will need, computed before it begins. */
package io.telechat.train.plan;
