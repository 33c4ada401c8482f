// SPDX-License-Identifier: Apache-2.0
//
// Constant functions of decision trees that compare every element alone (docs/architecture.md section 6): the levels are
// shared out evenly over the elements of a subvector, the first elements taking one more. To be included in a module.
// `levels`: those of the whole tree, which are the bits of a code; `length`: elements of a subvector.

// levels before those of element j
function integer first_level(input integer j, input integer levels, input integer length);
    first_level = j*(levels / length) + ((j < levels % length) ? j : levels % length);
endfunction

// element that level l compares
function integer element_of(input integer l, input integer levels, input integer length);
    begin
        element_of = 0;
        while (first_level(element_of + 1, levels, length) <= l) element_of = element_of + 1;
    end
endfunction

// level l within the levels of its element
function integer element_level(input integer l, input integer levels, input integer length);
    element_level = l - first_level(element_of(l, levels, length), levels, length);
endfunction
