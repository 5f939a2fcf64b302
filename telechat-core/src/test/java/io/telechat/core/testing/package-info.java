// SPDX-License-Identifier: Apache-2.0
/** What tests of all modules share: golden data, tiny models, formulas in plain loops. */
package io.telechat.core.testing;
