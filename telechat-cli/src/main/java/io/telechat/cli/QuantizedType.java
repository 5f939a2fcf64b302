// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.tensor.DType;
import java.util.Locale;

/** Types that weights can be rounded to. */
enum QuantizedType {
    Q8_0,
    Q4_0;

    DType dtype() {
        return DType.valueOf(name());
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
