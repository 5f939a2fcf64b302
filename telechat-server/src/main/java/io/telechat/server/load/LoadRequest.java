// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * One request of a load test.
 *
 * @param path such as {@code /v1/completions}
 * @param body that is sent, with streaming switched on
 */
public record LoadRequest(String path, JsonNode body) {}
