// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.HashMap;
import java.util.Map;

/** Variables of a block; those of the blocks around it can be read. */
final class Scope {
    private final Scope outer;
    private final Map<String, Object> variables = new HashMap<>();

    /** The outermost one. */
    Scope(Map<String, Object> variables) {
        this.outer = null;
        this.variables.putAll(variables);
    }

    Scope(Scope outer) {
        this.outer = outer;
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.variables.containsKey(name)) {
                return scope.variables.get(name);
            }
        }
        return new Undefined(name);
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }
}
