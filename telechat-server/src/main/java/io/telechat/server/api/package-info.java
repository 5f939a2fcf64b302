// SPDX-License-Identifier: Apache-2.0
/** The API of OpenAI: what requests say, and how answers are written. Start with {@code Router}. */
package io.telechat.server.api;
