mock_top.v
