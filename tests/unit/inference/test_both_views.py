"""A network of planes run over blocks gives the mean of its two views."""

import torch
from torch import nn

from thinslice.inference import both_views
from thinslice.inference.both_views import BothViews


class Across(nn.Module):
    """Twice as many slices; what is added depends on the column and on what else is given."""

    def forward(self, x_B1ZW, *others):
        columns = torch.arange(float(x_B1ZW.shape[-1]))
        for other in others:
            x_B1ZW = x_B1ZW + (other if other.ndim == 0 else other.view(-1, 1, 1, 1))
        return (x_B1ZW + columns).repeat_interleave(2, 2)


def test_columns_of_one_view_are_rows_of_the_other(monkeypatch):
    monkeypatch.setattr(both_views, "PLANES", 3)
    x = torch.rand(2, 1, 3, 4, 5)
    rows, columns = torch.arange(4.0)[:, None], torch.arange(5.0)
    expected = (x + (rows + columns) / 2).repeat_interleave(2, 2)
    torch.testing.assert_close(BothViews(Across())(x), expected)


def test_what_else_it_is_given_goes_with_its_block():
    x, a_block, all_blocks = (
        torch.rand(2, 1, 3, 4, 5),
        torch.tensor([10.0, 20.0]),
        torch.tensor(5.0),
    )
    more = BothViews(Across())(x, a_block, all_blocks) - BothViews(Across())(x)
    torch.testing.assert_close(more[:, 0, 0, 0, 0], torch.tensor([15.0, 25.0]))
