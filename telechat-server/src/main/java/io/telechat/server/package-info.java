// SPDX-License-Identifier: Apache-2.0
/**
 * Serves a model by the API of OpenAI, with a chat page beside it. {@link io.telechat.server.TelechatServer} puts together the
 * transport ({@code http}) and what it transports ({@code api}). Depends on {@code telechat-infer}.
 */
package io.telechat.server;
