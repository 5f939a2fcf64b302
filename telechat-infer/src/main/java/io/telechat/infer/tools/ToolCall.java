// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

/**
 * A function that the model wants called.
 *
 * @param id tells calls apart
 * @param arguments a JSON object, as text
 */
public record ToolCall(String id, String name, String arguments) {}
