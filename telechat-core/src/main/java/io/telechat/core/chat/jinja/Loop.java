// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What {@code loop} says within a loop. */
final class Loop {
    private final List<Object> items;
    private final Budget budget;
    private Object before = new Undefined("changed");

    Loop(List<Object> items, Budget budget) {
        this.items = items;
        this.budget = budget;
    }

    /** At one of the items, counted from 0. */
    Namespace at(int index) {
        int length = items.size();
        Map<String, Object> state = new HashMap<>();
        state.put("index0", (long) index);
        state.put("index", index + 1L);
        state.put("revindex0", length - index - 1L);
        state.put("revindex", (long) length - index);
        state.put("first", index == 0);
        state.put("last", index == length - 1);
        state.put("length", (long) length);
        state.put("previtem", index > 0 ? items.get(index - 1) : new Undefined("previtem"));
        state.put("nextitem", index < length - 1 ? items.get(index + 1) : new Undefined("nextitem"));
        state.put("cycle", (Function) arguments -> cycle(arguments.positional(), index));
        state.put("changed", (Function) this::changed);
        return new Namespace(state);
    }

    private static Object cycle(List<Object> values, int index) {
        if (values.isEmpty()) {
            throw new TemplateFault(Message.of("the argument '%s' is missing", "args"));
        }
        return values.get(index % values.size());
    }

    private Object changed(CallArguments arguments) {
        boolean same = Values.areEqual(before, arguments.positional(), budget);
        before = arguments.positional();
        return !same;
    }
}
