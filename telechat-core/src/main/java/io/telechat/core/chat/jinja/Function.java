// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

/** What can be called: a macro, a method of a value, or one of {@link Globals}. */
@FunctionalInterface
interface Function {
    Object call(CallArguments arguments);
}
