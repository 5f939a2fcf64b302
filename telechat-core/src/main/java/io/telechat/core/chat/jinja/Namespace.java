// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.HashMap;
import java.util.Map;

/** What {@code namespace(…)} makes: the only value that a template can change. */
final class Namespace {
    private final Map<String, Object> attributes = new HashMap<>();

    Namespace(Map<String, Object> attributes) {
        this.attributes.putAll(attributes);
    }

    Object get(String name) {
        return attributes.containsKey(name) ? attributes.get(name) : new Undefined(name);
    }

    void set(String name, Object value) {
        attributes.put(name, value);
    }
}
