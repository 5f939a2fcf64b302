// SPDX-License-Identifier: Apache-2.0
/**
 * Where the formulas are computed. {@link io.telechat.core.backend.Backends} picks one of the providers on the class
 * path; nothing outside names an implementation. A new backend is one provider and one {@code META-INF/services} line.
 */
package io.telechat.core.backend;
