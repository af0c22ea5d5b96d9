from cross_modal_kd.demo.desk import Desk as Desk
from cross_modal_kd.demo.server import HOST as HOST
from cross_modal_kd.demo.server import serve as serve
from cross_modal_kd.demo.shelf import Shelf as Shelf
from cross_modal_kd.demo.web import make_app as make_app
