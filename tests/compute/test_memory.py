"""What a step frees stays with the process until the outermost context ends."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource

import torch

from cross_modal_kd.compute import kept_memory


def pages():
    '''Fresh pages that a few large blocks touch, one after the other.'''
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def held():
    '''Bytes of the process.'''
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


free = pages()
with kept_memory():
    with kept_memory():
        pages()
    kept, holding = pages(), held()
print(free, kept, holding - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's is left alone")
def test_a_large_block_is_touched_anew_outside_of_the_context_only_and_goes_back_at_its_end():
    for _ in range(5):  # a kernel that is short of memory takes pages back, which are touched anew then
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
        free, kept, returned = map(int, done.stdout.split())
        if 20 * kept < free:  # also with pages of 2 MB
            break
    assert 20 * kept < free
    assert returned > 0.9 * 2**26
